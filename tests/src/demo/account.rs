//! The demo's customers, with IDs as CRMs give them.

use super::random::Random;

/// How many customers there are.
pub const ACCOUNTS: usize = 120;

const NAMES: &str = "Alderwood Logistics, Amberline Media, Anchor & Vale, Arborfield Health, Ashgrove Capital, \
    Atlas Freight, Bluepeak Energy, Bramble Foods, Brightwater Utilities, Brookhaven Clinics, \
    Cairnstone, Calder Robotics, Canopy Insurance, Cardinal Rail, Cedar & Pine, Chalkline Studios, \
    Cinder Labs, Clearbrook Water, Cobalt Manufacturing, Copperfield Legal, Coral Bay Hotels, \
    Corvid Security, Crestview Schools, Crosswind Airlines, Dalehurst Dairy, Deepwell Analytics, \
    Dovetail Furniture, Driftwood Games, Dunmore Steel, Eastgate Pharmacy, Ebb & Flow, \
    Elmstead Housing, Emberfield Power, Evergreen Retail, Fairlane Motors, Falconbridge, \
    Farrow Textiles, Fennel Kitchen, Firth Shipping, Foxglove Beauty, Garnet Payments, Glasshouse Labs, \
    Goldfinch Travel, Granary Foods, Greyfriars Press, Halcyon Foods, Harborlight, Hartwell Biotech, \
    Hawthorn Legal, Hazelmere Homes, Heron Telecom, Highmoor Mining, Hollybank Credit Union, \
    Hopper Logistics, Indigo Freight, Inkwell Publishing, Ironbridge Tools, Ivyleaf Learning, \
    Jasper Optics, Juniper Clinics, Kelpie Marine, Kestrel Aviation, Kingfisher Bank, Kite & Key, \
    Lakeshore Care, Lantern Cinemas, Larkspur Events, Lattice Networks, Lindenhof, Lodestar Mapping, \
    Longacre Estates, Lumen Diagnostics, Maplewood Paper, Marlin Sports, Meadowsweet, Meridian Rail, \
    Millrace Brewing, Mistral Wind, Moorland Wool, Mosaic Interiors, Nettle & Thyme, Nightjar Audio, \
    Northgate Bank, Nutmeg Catering, Oakhurst Partners, Obsidian Cloud, Orchard Toys, Osprey Defence, \
    Otterburn Outdoor, Palisade Trust, Peregrine Couriers, Pinnacle Health, Plover Energy, \
    Polestar Clinics, Quarry Lane, Quill Accounting, Ravenscar Ports, Redwood Robotics, Ridgeway Foods, \
    Rookery Games, Rowan Textiles, Saltmarsh Fisheries, Sandpiper Hotels, Selkirk Steel, \
    Shoreline Ferries, Silverbirch Care, Skylark Mobile, Slate & Sons, Sparrow Post, Starling Grocers, \
    Stonecrop Gardens, Swiftwater Canoes, Tamarisk Oil, Thistle Hotels, Thornbury Glass, \
    Tidewater Trust, Umber Design, Vireo Vision, Whinfell Forestry, Yarrow Botanicals";

/// A customer.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub name: &'static str,
    /// Its web domain.
    pub domain: String,
    /// Its ID in Salesforce, 18 characters.
    pub salesforce: String,
    /// Its ID in HubSpot, for those that are there too.
    pub hubspot: Option<String>,
    /// How much it uses: 1 is small, about 40 is large.
    pub size: f64,
    /// Which way it goes.
    pub course: Course,
}

/// Which way a customer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// As ever.
    Steady,
    /// More each week.
    Growing,
    /// Joined so many days after the first day.
    Joined(i64),
    /// Less and less, until it left so many days after the first day.
    Leaving(i64),
}

/// All customers, by name.
pub fn accounts(seed: u64) -> Vec<Account> {
    let mut random = Random::of(seed, "accounts");
    let make = |(index, name): (usize, &'static str)| {
        let size = [1.0, 2.0, 3.0, 5.0, 8.0, 16.0, 40.0][random.below(7)] * random.between(0.7, 1.4);
        let course = match index % 10 {
            0 | 4 | 7 => Course::Growing,
            2 => Course::Joined(5 + i64::try_from(random.below(50)).expect("a small number")),
            5 => Course::Leaving(45 + i64::try_from(random.below(43)).expect("a small number")),
            _ => Course::Steady,
        };
        let hubspot = (index % 3 != 1).then(|| (8_120_000_000 + random.below(900_000_000)).to_string());
        Account { name, domain: domain(name), salesforce: salesforce_id(&mut random), hubspot, size, course }
    };
    NAMES.split(", ").enumerate().map(make).collect()
}

fn domain(name: &str) -> String {
    let word = name.split_whitespace().filter(|word| *word != "&").collect::<String>();
    format!("{}.example", word.to_lowercase())
}

/// An account ID as Salesforce makes them: prefix, 12 characters, 3 of checksum.
pub fn salesforce_id(random: &mut Random) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut id = String::from("0015f00000");
    for _ in 0..5 {
        id.push(char::from(*random.pick(LETTERS)));
    }
    let checksum = salesforce_checksum(&id);
    id + &checksum
}

/// The last 3 of 18 characters: for each 5 of the first 15, which of them are capitals, as one letter or digit.
pub fn salesforce_checksum(id: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let letter = |part: &[u8]| {
        let capitals = part.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
        char::from(ALPHABET[capitals.map(|(place, _)| 1 << place).sum::<usize>()])
    };
    id.as_bytes().chunks(5).take(3).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ACCOUNTS, accounts, salesforce_checksum};

    #[test]
    fn checksums_are_those_of_salesforce() {
        // The example of Salesforce's own documentation of the two forms.
        assert_eq!(salesforce_checksum("001D000000IRt53"), "IAD");
    }

    #[test]
    fn customers_differ_in_every_id() {
        let all = accounts(1);
        assert_eq!(all.len(), ACCOUNTS);
        assert!(all.iter().all(|account| account.salesforce.len() == 18));
        for id in
            [|it: &super::Account| Some(it.salesforce.clone()), |it: &super::Account| it.hubspot.clone()]
        {
            let ids = all.iter().filter_map(id).collect::<Vec<_>>();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        }
        assert_eq!(all.iter().map(|it| &it.domain).collect::<HashSet<_>>().len(), ACCOUNTS);
    }
}

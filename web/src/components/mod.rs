//! The kit the pages are made of.

mod badge;
mod balance;
mod button;
mod chart;
mod copy;
mod dialog;
mod empty_state;
mod field;
mod icon;
mod load;
mod page;
mod pager;
mod search_box;
mod sparkline;
mod table;
mod time;
mod toast;

pub use badge::{Badge, FreshnessBadge, FreshnessCell, RunBadge, Tone};
pub use balance::{Balance, Part};
pub use button::{Button, LinkButton, Look};
pub use chart::{LineChart, Point};
pub use copy::{Code, CopyButton, copy};
pub use dialog::{Dialog, DialogFoot};
pub use empty_state::{Empty, Missing, Notice, Problem};
pub use field::{Area, Check, Choice, Text};
pub use icon::{Glyph, Icon};
pub use load::Loaded;
pub use page::{Fact, Facts, Moved, Only, PageHead, Panel, Tile};
pub use pager::{PageAt, Pager, page_at};
pub use search_box::{SearchBox, query_value, set_query};
pub use sparkline::Sparkline;
pub use table::{Cell, Row, Table, amount, column};
pub use time::{Ago, At, Clock, NextRun};
pub use toast::{ToastList, Toasts};

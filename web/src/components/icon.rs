//! The icons, drawn from the sprite that the build puts into the page.

use leptos::prelude::*;

/// An icon by what it stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// The overview.
    Overview,
    /// Sources and warehouses.
    Source,
    /// The inbox of unmatched rows.
    Inbox,
    /// Linking.
    Link,
    /// Accounts.
    Account,
    /// A stream.
    Stream,
    /// A table of a warehouse.
    Table,
    /// The settings of the organization.
    Settings,
    /// Signing out.
    SignOut,
    /// The light theme.
    Light,
    /// The dark theme.
    Dark,
    /// The system's theme.
    System,
    /// Going back.
    Back,
    /// Going on.
    Forward,
    /// Closing.
    Close,
    /// Adding.
    Add,
    /// Done.
    Check,
    /// Succeeded.
    Success,
    /// Failed.
    Failure,
    /// Needs attention.
    Warning,
    /// Worth knowing.
    Info,
    /// Waiting.
    Clock,
    /// Starting.
    Play,
    /// Pausing.
    Pause,
    /// Stopping.
    Stop,
    /// Going back in a cursor.
    Rewind,
    /// Trying again.
    Retry,
    /// Copying.
    Copy,
    /// Searching.
    Search,
    /// Bringing a file in.
    Upload,
    /// Taking a file out.
    Download,
    /// Ignoring.
    Ignore,
    /// Not yet begun.
    Pending,
    /// Left out.
    Skipped,
    /// In progress.
    Busy,
    /// How something is recognized.
    Key,
    /// A person.
    Person,
    /// Changing.
    Edit,
    /// Removing.
    Remove,
    /// Sending to somebody.
    Send,
}

impl Icon {
    fn name(self) -> &'static str {
        match self {
            Self::Overview => "gauge",
            Self::Source => "database",
            Self::Inbox => "inbox",
            Self::Link => "link-2",
            Self::Account => "building",
            Self::Stream => "waves",
            Self::Table => "table-2",
            Self::Settings => "settings",
            Self::SignOut => "log-out",
            Self::Light => "sun",
            Self::Dark => "moon",
            Self::System => "monitor",
            Self::Back => "chevron-left",
            Self::Forward => "chevron-right",
            Self::Close => "x",
            Self::Add => "plus",
            Self::Check => "check",
            Self::Success => "circle-check",
            Self::Failure => "circle-x",
            Self::Warning => "triangle-alert",
            Self::Info => "info",
            Self::Clock => "clock",
            Self::Play => "play",
            Self::Pause => "pause",
            Self::Stop => "square",
            Self::Rewind => "rewind",
            Self::Retry => "rotate-ccw",
            Self::Copy => "copy",
            Self::Search => "search",
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Ignore => "eye-off",
            Self::Pending => "circle-dashed",
            Self::Skipped => "circle-slash",
            Self::Busy => "loader-circle",
            Self::Key => "key-round",
            Self::Person => "circle-user-round",
            Self::Edit => "pencil",
            Self::Remove => "trash-2",
            Self::Send => "send",
        }
    }
}

/// Draws an icon beside a text; it is silent for screen readers, so the text must say all.
#[component]
pub fn Glyph(icon: Icon, #[prop(optional)] class: &'static str) -> impl IntoView {
    let class = if class.is_empty() { "size-4 shrink-0" } else { class };
    view! {
        <svg class=class aria-hidden="true" focusable="false">
            <use href=format!("#icon-{}", icon.name())></use>
        </svg>
    }
}

//! Why the store could not do what it was asked.

use std::path::PathBuf;

use sandbell_domain::{NotificationId, TenantId};

/// Whole sentences for people; who decides looks at the variant.
///
/// Nothing of what a refused call asked for was kept. It can be cloned because the callers of one transaction share
/// its fate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("notification {0} was accepted before with other content; send new content under a new id")]
    OtherContent(NotificationId),
    #[error("there is no tenant {0}; create it first")]
    UnknownTenant(TenantId),
    #[error("`{}` is locked by another program; stop it, or close its transaction, and try again", .0.display())]
    Locked(PathBuf),
    #[error("`{}` cannot be written; give this user the right to write the file and its folder", .0.display())]
    ReadOnly(PathBuf),
    #[error("there is no space left for `{}`; free some, or raise the limit; nothing more is kept until then", .0.display())]
    Full(PathBuf),
    #[error("`{}` is damaged ({found}); restore a backup, or move the file away to start with an empty one", path.display())]
    Damaged { path: PathBuf, found: String },
    #[error("`{}` cannot be opened ({found}); its folder must exist and be writable for this user", path.display())]
    CannotOpen { path: PathBuf, found: String },
    #[error(
        "`{}` was written by a newer version (schema {found}, this program knows {known}); install that version again",
        path.display()
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error(
        "step {step} of the schema of `{}` is not the one of this program; install the version that wrote the file",
        path.display()
    )]
    OtherSchema { path: PathBuf, step: u32 },
    #[error("the disk under `{}` failed ({found}); what was answered is safe, nothing more is taken until a restart", path.display())]
    DiskFailed { path: PathBuf, found: String },
    #[error("no copy was made at `{}`: {found}; name a file that is not there, in a folder with room for it", path.display())]
    NoBackup { path: PathBuf, found: String },
    #[error("`{}` answered what nobody expects: {found}", path.display())]
    Unexpected { path: PathBuf, found: String },
    #[error("the store has been closed")]
    Closed,
}

impl StoreError {
    /// Whether the same call can succeed later without anybody changing the program.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Locked(_) | Self::ReadOnly(_) | Self::Full(_) => true,
            Self::OtherContent(_)
            | Self::UnknownTenant(_)
            | Self::Damaged { .. }
            | Self::CannotOpen { .. }
            | Self::Newer { .. }
            | Self::OtherSchema { .. }
            | Self::DiskFailed { .. }
            | Self::NoBackup { .. }
            | Self::Unexpected { .. }
            | Self::Closed => false,
        }
    }
}

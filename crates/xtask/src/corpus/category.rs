//! The categories of request lines: what each is meant to show, and its share of the stream.

use super::flaw::Flaw;
use super::oracle::Reason;
use super::rng::Rng;
use super::stranger::Stranger;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    /// Covered by a grant of this form.
    Allow(Form),
    /// A live token, but asked for one thing too much.
    Forbidden(Twist),
    /// A token that is refused whatever is asked.
    Dead(Standing),
    /// Well-formed, but not in the store.
    Unknown(Stranger),
    /// Not a token text at all.
    Malformed(Flaw),
}

/// The four forms of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Unscoped,
    Org,
    OrgAndId,
    Id,
}

/// How a request departs from one that a grant covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twist {
    Action,
    Type,
    Instance,
    ForeignOrg,
    NoOrg,
    ForeignId,
    NoId,
    ForeignOrgOfId,
}

/// The lists that authorizations stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Live,
    Revoked,
    Inactive,
    Expired,
    UserInactive,
    OrgInactive,
}

impl Category {
    /// Each category, its name in the summary, and its share in thousandths.
    pub(super) const TABLE: [(Self, &'static str, u64); 36] = [
        (Self::Allow(Form::Unscoped), "allow_unscoped", 60),
        (Self::Allow(Form::Org), "allow_org", 150),
        (Self::Allow(Form::OrgAndId), "allow_org_and_id", 200),
        (Self::Allow(Form::Id), "allow_id", 90),
        (Self::Forbidden(Twist::Action), "forbidden_action", 35),
        (Self::Forbidden(Twist::Type), "forbidden_type", 25),
        (Self::Forbidden(Twist::Instance), "forbidden_instance", 10),
        (
            Self::Forbidden(Twist::ForeignOrg),
            "forbidden_foreign_org",
            25,
        ),
        (Self::Forbidden(Twist::NoOrg), "forbidden_no_org", 15),
        (
            Self::Forbidden(Twist::ForeignId),
            "forbidden_foreign_id",
            25,
        ),
        (Self::Forbidden(Twist::NoId), "forbidden_no_id", 15),
        (
            Self::Forbidden(Twist::ForeignOrgOfId),
            "forbidden_foreign_org_of_id",
            15,
        ),
        (Self::Dead(Standing::Revoked), "revoked", 40),
        (Self::Dead(Standing::Inactive), "inactive", 40),
        (Self::Dead(Standing::Expired), "expired", 40),
        (Self::Dead(Standing::UserInactive), "user_inactive", 30),
        (Self::Dead(Standing::OrgInactive), "org_inactive", 30),
        (Self::Unknown(Stranger::InfluxV2), "unknown_influx_v2", 15),
        (Self::Unknown(Stranger::InfluxV3), "unknown_influx_v3", 15),
        (Self::Unknown(Stranger::Native), "unknown_native", 15),
        (
            Self::Unknown(Stranger::NativeOtherSecret),
            "unknown_native_other_secret",
            15,
        ),
        (Self::Unknown(Stranger::Custom), "unknown_custom", 10),
        (
            Self::Unknown(Stranger::StoredHash),
            "unknown_stored_hash",
            10,
        ),
        (Self::Unknown(Stranger::NearMiss), "unknown_near_miss", 10),
        (Self::Malformed(Flaw::Checksum), "malformed_checksum", 10),
        (Self::Malformed(Flaw::Digit), "malformed_digit", 5),
        (Self::Malformed(Flaw::IdZero), "malformed_id_zero", 5),
        (Self::Malformed(Flaw::IdTooBig), "malformed_id_too_big", 5),
        (
            Self::Malformed(Flaw::SecretTooBig),
            "malformed_secret_too_big",
            5,
        ),
        (Self::Malformed(Flaw::Short), "malformed_short", 5),
        (Self::Malformed(Flaw::Long), "malformed_long", 5),
        (Self::Malformed(Flaw::Empty), "malformed_empty", 5),
        (Self::Malformed(Flaw::Space), "malformed_space", 5),
        (Self::Malformed(Flaw::Nul), "malformed_nul", 5),
        (Self::Malformed(Flaw::Control), "malformed_control", 5),
        (Self::Malformed(Flaw::NotAscii), "malformed_not_ascii", 5),
    ];

    /// The category of line `number`, and its name: the first lines show each one once.
    pub(super) fn of_line(number: u64, rng: &mut Rng) -> (Self, &'static str) {
        let once = usize::try_from(number)
            .ok()
            .and_then(|place| Self::TABLE.get(place));
        if let Some(&(category, name, _)) = once {
            return (category, name);
        }
        let mut left = rng.below(Self::TABLE.iter().map(|(_, _, share)| share).sum());
        let [(mut category, mut name, _), ..] = Self::TABLE;
        for (next, next_name, share) in Self::TABLE {
            (category, name) = (next, next_name);
            if left < share {
                break;
            }
            left -= share;
        }
        (category, name)
    }

    /// What the oracle must say; `None` to allow.
    pub(super) fn reason(self) -> Option<Reason> {
        match self {
            Self::Allow(_) | Self::Dead(Standing::Live) => None,
            Self::Forbidden(_) => Some(Reason::Forbidden),
            Self::Dead(Standing::Revoked) => Some(Reason::Revoked),
            Self::Dead(Standing::Inactive) => Some(Reason::Inactive),
            Self::Dead(Standing::Expired) => Some(Reason::Expired),
            Self::Dead(Standing::UserInactive | Standing::OrgInactive) => {
                Some(Reason::OwnerInactive)
            }
            Self::Unknown(_) => Some(Reason::Unknown),
            Self::Malformed(_) => Some(Reason::Malformed),
        }
    }
}

//! Compact permission sets, because all rows of a file are in memory at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::id::Id;
use crate::permission::{Action, Permission, PermissionSet, Resource, ResourceType, Target};

/// Each distinct permission set, and each distinct pair of action and type.
#[derive(Debug, Default)]
pub(super) struct Sets {
    packed: HashSet<Arc<[u8]>>,
    words: Vec<(Action, ResourceType)>,
    numbers: HashMap<(Action, ResourceType), u32>,
}

/// A permission set, packed by a [`Sets`].
#[derive(Debug, Clone)]
pub(super) struct PackedSet(Arc<[u8]>);

const HAS_ORGANIZATION: u8 = 1;
const HAS_ID: u8 = 2;
const HAS_NAME: u8 = 4;

impl Sets {
    pub(super) fn pack(&mut self, set: &PermissionSet) -> PackedSet {
        let mut bytes = Vec::with_capacity(set.len() * 21);
        for permission in set.iter() {
            self.push(&mut bytes, permission);
        }
        if let Some(known) = self.packed.get(bytes.as_slice()) {
            return PackedSet(Arc::clone(known));
        }
        let packed: Arc<[u8]> = bytes.into();
        self.packed.insert(Arc::clone(&packed));
        PackedSet(packed)
    }

    pub(super) fn unpack(&self, PackedSet(bytes): &PackedSet) -> PermissionSet {
        let mut rest = &**bytes;
        std::iter::from_fn(|| self.next(&mut rest)).collect()
    }

    fn push(&mut self, bytes: &mut Vec<u8>, permission: &Permission) {
        let Resource { kind, organization, target } = &permission.resource;
        let words = (permission.action, *kind);
        // There are fewer pairs than input bytes.
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(words).or_insert(next);
        if number == next {
            self.words.push(words);
        }
        bytes.extend(number.to_le_bytes());
        let has_target = match target {
            Target::Any => 0,
            Target::Id(_) => HAS_ID,
            Target::Name(_) => HAS_NAME,
        };
        bytes.push(has_target | organization.map_or(0, |_| HAS_ORGANIZATION));
        if let Some(organization) = organization {
            bytes.extend(organization.number().to_le_bytes());
        }
        match target {
            Target::Any => {}
            Target::Id(id) => bytes.extend(id.number().to_le_bytes()),
            Target::Name(name) => {
                bytes.extend((name.len() as u64).to_le_bytes());
                bytes.extend(name.as_bytes());
            }
        }
    }

    fn next(&self, rest: &mut &[u8]) -> Option<Permission> {
        let number = u32::from_le_bytes(*take(rest)?);
        let (action, kind) = *self.words.get(number as usize)?;
        let [has] = *take(rest)?;
        let mut resource = Resource { kind, organization: None, target: Target::Any };
        if has & HAS_ORGANIZATION != 0 {
            resource.organization = Id::new(u64::from_le_bytes(*take(rest)?));
        }
        if has & HAS_ID != 0 {
            resource.target = Target::Id(Id::new(u64::from_le_bytes(*take(rest)?))?);
        }
        if has & HAS_NAME != 0 {
            let length = u64::from_le_bytes(*take(rest)?);
            let (name, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            *rest = after;
            resource.target = Target::Name(std::str::from_utf8(name).ok()?.into());
        }
        Some(Permission { action, resource })
    }
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_permission_sets_round_trip() {
        let id = Id::MAX;
        let base = |action: &str, kind: &str| {
            Permission::new(action.parse().unwrap(), kind.parse().unwrap())
        };
        let all: PermissionSet = [
            base("read", "buckets"),
            base("write", "buckets").organization(id),
            base("read", "tasks").id(Id::MIN),
            base("read", "databases").name("a\n\u{0}b"),
            base("write", "databases").name("").organization(id).to_owned(),
            base("read", "buckets"),
        ]
        .into_iter()
        .collect();
        let mut sets = Sets::default();
        let packed = sets.pack(&all);
        assert_eq!(sets.unpack(&packed), all);
        assert!(Arc::ptr_eq(&sets.pack(&all).0, &packed.0));
        assert!(packed.0.len() < 150);
        let none = sets.pack(&PermissionSet::default());
        assert_eq!(sets.unpack(&none).len(), 0);
    }
}

//! Schemas of the closed lists of names that other crates own.

use model::{MediaPolicy, PageKind, RobotsPolicy, Role, TargetState};
use serde::Serialize;
use utoipa::openapi::{Object, ObjectBuilder, Type};

pub(super) fn page_kind() -> Object {
    names("What the page is.", &PageKind::ALL)
}

pub(super) fn role() -> Object {
    names("What a person may do.", &Role::ALL)
}

pub(super) fn target_state() -> Object {
    names("What people want of the target.", &[TargetState::Active, TargetState::Paused, TargetState::Retired])
}

pub(super) fn robots() -> Object {
    names("Whether `robots.txt` is only recorded, or binds.", &[RobotsPolicy::Record, RobotsPolicy::Obey])
}

pub(super) fn media() -> Object {
    names("Whether images are fetched.", &[MediaPolicy::TextOnly, MediaPolicy::TextAndImages])
}

fn names<T: Serialize>(description: &str, all: &[T]) -> Object {
    let names: Vec<_> = all.iter().filter_map(|one| serde_json::to_value(one).ok()).collect();
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(names)).build()
}

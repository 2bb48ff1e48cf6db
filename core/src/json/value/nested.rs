//! Arrays and objects, which take their nested contents apart without recursion when dropped.

use super::{JsonString, Value};
use core::fmt;
use core::ops::{Deref, DerefMut};

/// The items of an array; used like the `Vec` it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Array(Vec<Value>);

impl Array {
    /// The items.
    pub fn into_vec(mut self) -> Vec<Value> {
        core::mem::take(&mut self.0)
    }
}

impl Deref for Array {
    type Target = Vec<Value>;

    fn deref(&self) -> &Vec<Value> {
        &self.0
    }
}

impl DerefMut for Array {
    fn deref_mut(&mut self) -> &mut Vec<Value> {
        &mut self.0
    }
}

impl From<Vec<Value>> for Array {
    fn from(items: Vec<Value>) -> Self {
        Self(items)
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Value;
    type IntoIter = core::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.0).finish()
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        if self.0.iter().any(holds_values) {
            drop_flat(core::mem::take(&mut self.0));
        }
    }
}

/// The members of an object in the order they came, equal keys kept. Looking one up reads them all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Object(Vec<(JsonString, Value)>);

impl Object {
    /// An object without members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of `key`; of equal keys the last one counts, as in JavaScript.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0
            .iter_mut()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// Gives `key` a value and returns the one it had; a new key goes last.
    pub fn insert(&mut self, key: &str, value: impl Into<Value>) -> Option<Value> {
        let value = value.into();
        if let Some(old) = self.get_mut(key) {
            return Some(core::mem::replace(old, value));
        }
        self.0.push((key.into(), value));
        None
    }

    /// Removes every member of that name and returns the value that counted.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0
            .extract_if(.., |(name, _)| &*name == key)
            .map(|(_, value)| value)
            .last()
    }

    /// The members in order.
    pub fn iter(&self) -> core::slice::Iter<'_, (JsonString, Value)> {
        self.0.iter()
    }

    /// How many members there are, equal keys counted each.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members.
    pub fn into_vec(mut self) -> Vec<(JsonString, Value)> {
        core::mem::take(&mut self.0)
    }
}

impl From<Vec<(JsonString, Value)>> for Object {
    fn from(members: Vec<(JsonString, Value)>) -> Self {
        Self(members)
    }
}

impl<K: Into<JsonString>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        Self(
            members
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = &'a (JsonString, Value);
    type IntoIter = core::slice::Iter<'a, (JsonString, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, value)))
            .finish()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.0.iter().any(|(_, value)| holds_values(value)) {
            drop_flat(
                core::mem::take(&mut self.0)
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect(),
            );
        }
    }
}

fn holds_values(value: &Value) -> bool {
    match value {
        Value::Array(array) => !array.0.is_empty(),
        Value::Object(object) => !object.0.is_empty(),
        _ => false,
    }
}

/// Drops values of any depth: contents move to one list before their holder is dropped empty.
fn drop_flat(mut values: Vec<Value>) {
    while let Some(value) = values.pop() {
        match value {
            Value::Array(mut array) => values.append(&mut array.0),
            Value::Object(mut object) => values.extend(object.0.drain(..).map(|(_, value)| value)),
            _ => {}
        }
    }
}

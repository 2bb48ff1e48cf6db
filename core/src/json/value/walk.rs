//! Going through a tree and building one, without recursion.

use super::{Array, JsonString, Number, Object, Value};
use bytes::Bytes;
use core::slice;

/// What is met on the way through a value, in the order of its text.
#[derive(PartialEq)]
pub(super) enum Event<'a> {
    Leaf(Leaf<'a>),
    Array,
    EndArray,
    Object,
    Key(&'a JsonString),
    EndObject,
}

#[derive(PartialEq)]
pub(super) enum Leaf<'a> {
    Null,
    Bool(bool),
    Number(&'a Number),
    String(&'a JsonString),
    Binary(&'a Bytes),
}

impl Leaf<'_> {
    pub(super) fn to_value(&self) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(string) => Value::String(string.clone()),
            Self::Binary(bytes) => Value::Binary(bytes.clone()),
        }
    }
}

enum Level<'a> {
    Items(slice::Iter<'a, Value>),
    Members(slice::Iter<'a, (JsonString, Value)>),
}

/// Goes through a value. Nothing is allocated for one without contents.
pub(super) struct Walk<'a> {
    /// A value not yet entered: the outermost, or that of the key just given.
    next: Option<&'a Value>,
    levels: Vec<Level<'a>>,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(value: &'a Value) -> Self {
        Self {
            next: Some(value),
            levels: Vec::new(),
        }
    }

    fn enter(&mut self, value: &'a Value) -> Event<'a> {
        Event::Leaf(match value {
            Value::Array(array) => {
                self.levels.push(Level::Items(array.iter()));
                return Event::Array;
            }
            Value::Object(object) => {
                self.levels.push(Level::Members(object.iter()));
                return Event::Object;
            }
            Value::Null => Leaf::Null,
            Value::Bool(value) => Leaf::Bool(*value),
            Value::Number(number) => Leaf::Number(number),
            Value::String(string) => Leaf::String(string),
            Value::Binary(bytes) => Leaf::Binary(bytes),
        })
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        if let Some(value) = self.next.take() {
            return Some(self.enter(value));
        }
        match self.levels.last_mut()? {
            Level::Items(items) => {
                if let Some(value) = items.next() {
                    return Some(self.enter(value));
                }
                self.levels.pop();
                Some(Event::EndArray)
            }
            Level::Members(members) => {
                if let Some((key, value)) = members.next() {
                    self.next = Some(value);
                    return Some(Event::Key(key));
                }
                self.levels.pop();
                Some(Event::EndObject)
            }
        }
    }
}

/// An array or object whose end has not come.
enum Open {
    Array(Vec<Value>),
    /// The members so far, and the key whose value comes next.
    Object(Vec<(JsonString, Value)>, JsonString),
}

/// Puts a tree together from its events.
#[derive(Default)]
pub(super) struct Builder {
    /// Each with whether its text has shown no item yet.
    open: Vec<(Open, bool)>,
    done: Value,
}

impl Builder {
    pub(super) fn open_array(&mut self) {
        self.open.push((Open::Array(Vec::new()), true));
    }

    pub(super) fn open_object(&mut self) {
        self.open
            .push((Open::Object(Vec::new(), JsonString::default()), true));
    }

    /// The bracket that closes what is open innermost, and its state for `Cursor::next_item`.
    pub(super) fn innermost(&mut self) -> Option<(u8, &mut bool)> {
        let (open, first) = self.open.last_mut()?;
        Some((
            if matches!(open, Open::Array(_)) {
                b']'
            } else {
                b'}'
            },
            first,
        ))
    }

    pub(super) fn key(&mut self, name: JsonString) {
        if let Some((Open::Object(_, key), _)) = self.open.last_mut() {
            *key = name;
        }
    }

    /// Adds a complete value to what is open innermost.
    pub(super) fn value(&mut self, value: Value) {
        match self.open.last_mut() {
            Some((Open::Array(items), _)) => items.push(value),
            Some((Open::Object(members, key), _)) => members.push((core::mem::take(key), value)),
            None => self.done = value,
        }
    }

    /// Ends what is open innermost.
    pub(super) fn close(&mut self) {
        match self.open.pop() {
            Some((Open::Array(items), _)) => self.value(Value::Array(Array::from(items))),
            Some((Open::Object(members, _), _)) => self.value(Value::Object(Object::from(members))),
            None => {}
        }
    }

    pub(super) fn finish(self) -> Value {
        self.done
    }
}

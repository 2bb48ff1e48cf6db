use crate::core::{Sid, Text};

/// One room or several: `"a"`, `&name`, `["a", "b"]`, `vec![..]`, `&rooms[..]`, a [`Sid`].
///
/// Every socket is alone in a room named like its [`Sid`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no rooms",
    note = "rooms are named by `&str`, `String`, a `Sid`, or an array, slice or `Vec` of strings"
)]
pub trait IntoRooms {
    /// Appends the rooms to `rooms`.
    fn add_to(self, rooms: &mut Vec<Text>);
}

/// Types that name one room.
macro_rules! one_room {
    ($($name:ty),*) => {$(
        impl IntoRooms for $name {
            fn add_to(self, rooms: &mut Vec<Text>) {
                let name: &str = self.as_ref();
                rooms.push(Text::from(name));
            }
        }
    )*};
}

one_room!(&str, &&str, &String, &Text);

impl IntoRooms for String {
    fn add_to(self, rooms: &mut Vec<Text>) {
        rooms.push(Text::from(self));
    }
}

impl IntoRooms for Text {
    fn add_to(self, rooms: &mut Vec<Text>) {
        rooms.push(self);
    }
}

impl IntoRooms for Sid {
    fn add_to(self, rooms: &mut Vec<Text>) {
        rooms.push(Text::from(self.as_str()));
    }
}

impl<S: AsRef<str>> IntoRooms for &[S] {
    fn add_to(self, rooms: &mut Vec<Text>) {
        rooms.extend(self.iter().map(|name| Text::from(name.as_ref())));
    }
}

impl<S: AsRef<str>> IntoRooms for &Vec<S> {
    fn add_to(self, rooms: &mut Vec<Text>) {
        self.as_slice().add_to(rooms);
    }
}

impl<S: AsRef<str>> IntoRooms for Vec<S> {
    fn add_to(self, rooms: &mut Vec<Text>) {
        self.as_slice().add_to(rooms);
    }
}

impl<S: AsRef<str>, const N: usize> IntoRooms for [S; N] {
    fn add_to(self, rooms: &mut Vec<Text>) {
        self.as_slice().add_to(rooms);
    }
}

impl<S: AsRef<str>, const N: usize> IntoRooms for &[S; N] {
    fn add_to(self, rooms: &mut Vec<Text>) {
        self.as_slice().add_to(rooms);
    }
}

/// The rooms as a list.
pub(crate) fn list(rooms: impl IntoRooms) -> Vec<Text> {
    let mut list = Vec::new();
    rooms.add_to(&mut list);
    list
}

//! The JavaScript client, served under the path of Socket.IO (protocol section 5.1).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bytes::Bytes;

use crate::core::{CLIENT_BUNDLES, RequestHead, Response, StatusCode};

/// The files of the bundle.
pub(crate) struct Bundles {
    /// What requests for them begin with; ends with `/`.
    prefix: String,
    /// By the name they are asked for.
    files: BTreeMap<String, File>,
}

struct File {
    content: Bytes,
    tag: String,
}

impl Bundles {
    /// Reads a directory of bundles, or one file that is served as `socket.io.js` and `socket.io.min.js`, to be
    /// served under `prefix`.
    pub(super) fn load(path: &Path, prefix: &str) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        if path.is_dir() {
            for name in CLIENT_BUNDLES {
                match std::fs::read(path.join(name)) {
                    Ok(content) => drop(files.insert(name.to_owned(), File::new(content))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        } else {
            let content = std::fs::read(path).map_err(|error| {
                io::Error::new(error.kind(), format!("client bundle {}: {error}", path.display()))
            })?;
            for name in ["socket.io.js", "socket.io.min.js"] {
                files.insert(name.to_owned(), File::new(content.clone()));
            }
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            files,
        })
    }

    /// The answer to a request for one of the files; `None` when it is for something else.
    pub(super) fn answer(&self, head: &RequestHead) -> Option<Response> {
        let name = head.path().strip_prefix(&self.prefix)?;
        if !CLIENT_BUNDLES.contains(&name) {
            return None;
        }
        let Some(file) = self.files.get(name) else {
            return Some(Response::new(StatusCode::NOT_FOUND));
        };
        let is_fresh = head
            .header_str("if-none-match")
            .is_some_and(|tags| tags.contains(&file.tag));
        let mut response = if is_fresh {
            Response::new(StatusCode::NOT_MODIFIED)
        } else {
            let content_type = if name.ends_with(".map") {
                "application/json; charset=utf-8"
            } else {
                "application/javascript; charset=utf-8"
            };
            Response::new(StatusCode::OK).with_body(content_type, file.content.clone())
        };
        let headers = [
            ("Cache-Control", "public, max-age=0".to_owned()),
            ("ETag", file.tag.clone()),
        ];
        for (name, value) in headers {
            // Both are made here of characters that headers may hold.
            let _ = response.headers_mut().append(name, value);
        }
        Some(response)
    }
}

impl File {
    fn new(content: Vec<u8>) -> Self {
        // FNV-1a: the tag tells versions of a file apart, nobody is kept out with it.
        let hash = content.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self {
            tag: format!("\"{hash:016x}\""),
            content: content.into(),
        }
    }
}

//! Every committed input of every target, as ordinary tests: seeds of our own, and what fuzzing once found.

use socketio_fuzzing::TARGETS;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The inputs in a folder, by name; none if it does not exist.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

/// How many inputs of `kind` there are for a target, all of which hold.
fn replay(name: &str, kind: &str) -> usize {
    let (_, target) = TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a target");
    let paths = inputs(&fuzz().join(kind).join(name));
    for path in &paths {
        let data = fs::read(path).expect("an input");
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| target(&data)));
        assert!(outcome.is_ok(), "{} does not hold", path.display());
    }
    paths.len()
}

macro_rules! replays {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                assert!(replay(stringify!($name), "seeds") > 0, "every target has seeds");
                replay(stringify!($name), "regressions");
            }
        )*

        #[test]
        fn every_target_is_replayed_and_every_folder_belongs_to_a_target() {
            let replayed = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), replayed);
            for kind in ["seeds", "regressions"] {
                for entry in fs::read_dir(fuzz().join(kind)).into_iter().flatten() {
                    let name = entry.expect("an entry").file_name();
                    assert!(replayed.iter().any(|known| *known == name), "{kind}/{}", name.display());
                }
            }
        }
    };
}

replays! { client_bytes eio_payload http_head pair server_bytes sio_packet ws_frames ws_oracle }

#[test]
fn nothing_at_all_holds() {
    for (_, target) in TARGETS {
        target(&[]);
        target(&[0]);
        target(&[0xff; 64]);
    }
}

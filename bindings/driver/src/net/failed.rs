use std::error::Error;
use std::fmt;
use std::io;

/// What was attempted, before what came of it: "cannot connect to 127.0.0.1:9: Connection refused".
#[derive(Debug)]
struct Failed {
    attempt: String,
    error: io::Error,
}

/// Says in front of an error what was attempted; its kind stays.
pub(super) fn failed(attempt: impl Into<String>, error: io::Error) -> io::Error {
    let attempt = attempt.into();
    io::Error::new(error.kind(), Failed { attempt, error })
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.attempt, self.error)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

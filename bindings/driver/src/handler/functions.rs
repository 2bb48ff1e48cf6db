use crate::extract::{Extract, Requirements};
use crate::handler::run::{AsyncHandler, SyncHandler};
use crate::handler::{ErasedHandler, Handler, HandlerContext, IntoOutcome, marker};

/// Implements [`Handler`] for synchronous and asynchronous functions of one number of arguments.
macro_rules! functions {
    ($($argument:ident),*) => {
        impl<Function, C, R, $($argument,)*> Handler<C, marker::Sync<($($argument,)*)>> for Function
        where
            C: HandlerContext,
            Function: Fn($($argument),*) -> R + Send + Sync + 'static,
            R: IntoOutcome<C> + 'static,
            $($argument: Extract<C> + 'static,)*
        {
            fn erase(self) -> Box<dyn ErasedHandler<C>> {
                Box::new(SyncHandler(move |_context: &mut C| {
                    Ok(self($($argument::extract(_context)?),*))
                }))
            }

            fn require(requirements: &mut Requirements) {
                $($argument::require(requirements);)*
                R::provide(requirements);
            }
        }

        impl<Function, C, R, Running, $($argument,)*> Handler<C, marker::Async<($($argument,)*)>> for Function
        where
            C: HandlerContext,
            Function: Fn($($argument),*) -> Running + Send + Sync + 'static,
            Running: Future<Output = R> + Send + 'static,
            R: IntoOutcome<C> + 'static,
            $($argument: Extract<C> + 'static,)*
        {
            fn erase(self) -> Box<dyn ErasedHandler<C>> {
                Box::new(AsyncHandler::new(move |_context: &mut C| {
                    Ok(self($($argument::extract(_context)?),*))
                }))
            }

            fn require(requirements: &mut Requirements) {
                $($argument::require(requirements);)*
                R::provide(requirements);
            }
        }
    };
}

functions!();
functions!(A1);
functions!(A1, A2);
functions!(A1, A2, A3);
functions!(A1, A2, A3, A4);
functions!(A1, A2, A3, A4, A5);
functions!(A1, A2, A3, A4, A5, A6);
functions!(A1, A2, A3, A4, A5, A6, A7);
functions!(A1, A2, A3, A4, A5, A6, A7, A8);

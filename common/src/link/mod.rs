//! The two ends of the link as state machines, without sockets and clocks.
//!
//! [`publisher`] is the upstream's end, one for each connected relay; [`subscriber`] is the relay's end. Both take closed
//! inputs with `now` and give outputs to be carried out in order; drivers own the QUIC connection. `sim` runs them against each
//! other over a lossy link on a virtual clock.

pub mod backoff;

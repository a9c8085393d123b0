//! Methods, from the sources in a store to the obsels of the target, without computed traces nor HTTP.

mod filter;
mod fusion;
mod histories;
mod hrules;
mod support;

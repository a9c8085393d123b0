mod attributes;
mod automaton;
mod engine;
mod history;
#[cfg(test)]
mod test;

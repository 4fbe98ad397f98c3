//! `linewitness reflect`: the far end, from the command line.

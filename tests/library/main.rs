//! Physics of the library, against closed forms and independent oracles. One program for all: each would link the library again.

mod acquisition;
mod cutoff;
mod optimum;
mod potts;
mod potts_recall;
mod pseudo_likelihood;
mod samples;
mod theory;

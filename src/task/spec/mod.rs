//! A task definition, valid by construction.

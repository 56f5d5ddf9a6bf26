//! What a software supply-chain compromise reached on a machine or in an image, and what to rotate.
//!
//! The promises, each kept by a test or by the compiler: it never runs anything of the target, never writes to it, never shows a
//! secret, never talks to the network unless the command says so, never says "clean", takes hostile input as normal input,
//! explains every answer, and gives the same output for the same input.

pub mod accounts;
pub mod assess;
pub mod bolt;
pub mod cli;
pub mod commands;
pub mod coverage;
pub mod credential;
pub mod deep;
pub mod ecosystem;
pub mod fact;
pub mod guard;

pub mod image;
pub mod interest;
pub mod inventory;
pub mod ioc;
pub mod matcher;
#[cfg(feature = "online")]
pub mod online;
pub mod plan;
pub mod replay;
pub mod report;
pub mod rotate;
pub mod sandbox;
pub mod scan;
pub mod shell;
pub mod sqlite;
pub mod stop;
pub mod surface;
pub mod text;
pub mod tree;
pub mod verdict;
pub mod verify;
pub mod walk;
pub mod work;

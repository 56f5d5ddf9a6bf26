//! The program as its users meet it: the real binary on trees made for each case, and on what the real tools make.

mod architecture;
mod exposure;
mod hostile;
mod live;
mod look_alikes;
mod machine;
mod output;
mod program;
mod promises;

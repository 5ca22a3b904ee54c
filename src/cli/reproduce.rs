//! `attractor reproduce`: published figures.

use clap::Args;

use super::common::Common;

#[derive(Args)]
pub struct Reproduce {
    #[command(flatten)]
    common: Common,
}

impl Reproduce {
    pub fn run(self) -> anyhow::Result<()> {
        let _ = self.common;
        Ok(())
    }
}

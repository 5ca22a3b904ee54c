mod isa;
pub use isa::Isa;

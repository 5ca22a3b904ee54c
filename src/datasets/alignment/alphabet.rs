//! [`Alphabet`]: the letters of a column, and what other characters of a file mean.

use crate::error::{Error, Result};
use crate::spins::MAX_LETTERS;

/// The gap, where an alphabet has one.
pub const GAP: u8 = b'-';

/// The q letters that a column can have, in the order of their numbers 0..q.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alphabet {
    letters: String, // ASCII
    codes: Box<[Meaning; 256]>,
}

/// What a character of a sequence stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Letter of this number.
    Letter(u8),
    /// One of several letters, or a residue that the alphabet has no letter for.
    Ambiguous,
    /// Nothing.
    Unknown,
}

/// The gap and the 20 amino acids.
const PROTEIN: &str = "-ACDEFGHIKLMNPQRSTVWY";
/// B (D or N), Z (E or Q), J (I or L) and X (any) are ambiguous, U (selenocysteine), O (pyrrolysine) and * (stop) rare.
const PROTEIN_AMBIGUOUS: &str = "BZJXUO*";
/// The gap and the four bases.
const NUCLEOTIDE: &str = "-ACGT";
/// The codes of several bases.
const NUCLEOTIDE_AMBIGUOUS: &str = "RYSWKMBDHVNX";

impl Alphabet {
    /// The gap, number 0, and the 20 amino acids in the order of their letters: q = 21. Lower case means the same.
    /// B, Z, J, X, U, O and * are ambiguous.
    pub fn protein() -> Self {
        Self::of(PROTEIN, PROTEIN_AMBIGUOUS)
    }

    /// The gap, number 0, and A, C, G, T: q = 5. U means T, lower case the same; codes of several bases are ambiguous.
    pub fn nucleotide() -> Self {
        let mut alphabet = Self::of(NUCLEOTIDE, NUCLEOTIDE_AMBIGUOUS);
        for u in *b"Uu" {
            alphabet.codes[usize::from(u)] = alphabet.meaning(b'T');
        }
        alphabet
    }

    /// These letters, in this order; "-" among them is the gap. Lower case means the same unless a lower-case letter is
    /// among them. No character is ambiguous.
    ///
    /// # Errors
    /// If there are fewer than 2 or more than 64, one occurs twice, or one is no visible ASCII character, or ">" or ".",
    /// which mean something else in a file.
    pub fn given(letters: &str) -> Result<Self> {
        let usable = |letter: &u8| letter.is_ascii_graphic() && !b">.".contains(letter);
        let bytes = letters.as_bytes();
        if let Some(letter) = letters.chars().find(|letter| !u8::try_from(*letter).is_ok_and(|x| usable(&x)))
        {
            let expected = "visible ASCII characters other than \">\" and \".\"";
            return Err(Error::parameter("alphabet", expected, format!("{letter:?} in {letters:?}")));
        }
        if !(2..=MAX_LETTERS).contains(&bytes.len()) {
            let expected = format!("from 2 to {MAX_LETTERS} letters");
            return Err(Error::parameter("alphabet", expected, format!("{} in {letters:?}", bytes.len())));
        }
        if let Some(place) = (1..bytes.len()).find(|&place| bytes[..place].contains(&bytes[place])) {
            let found = format!("{:?} twice in {letters:?}", char::from(bytes[place]));
            return Err(Error::parameter("alphabet", "every letter once", found));
        }
        Ok(Self::of(letters, ""))
    }

    /// The alphabet whose [`letters`](Self::letters) these are.
    ///
    /// # Errors
    /// As [`given`](Self::given).
    pub fn from_letters(letters: &str) -> Result<Self> {
        match letters {
            PROTEIN => Ok(Self::protein()),
            NUCLEOTIDE => Ok(Self::nucleotide()),
            _ => Self::given(letters),
        }
    }

    fn of(letters: &str, ambiguous: &str) -> Self {
        let mut codes = Box::new([Meaning::Unknown; 256]);
        let folds = !letters.bytes().any(|letter| letter.is_ascii_lowercase());
        let mut set = |character: u8, meaning| {
            codes[usize::from(character)] = meaning;
            if folds {
                codes[usize::from(character.to_ascii_lowercase())] = meaning;
            }
        };
        ambiguous.bytes().for_each(|character| set(character, Meaning::Ambiguous));
        letters.bytes().zip(0..).for_each(|(letter, code)| set(letter, Meaning::Letter(code)));
        Self { letters: letters.to_owned(), codes }
    }

    /// The letters, that of number 0 first.
    pub fn letters(&self) -> &str {
        &self.letters
    }

    /// q, the number of letters, the gap included.
    pub fn n_letters(&self) -> usize {
        self.letters.len()
    }

    /// The number of the gap, if it is a letter.
    pub fn gap(&self) -> Option<u8> {
        match self.meaning(GAP) {
            Meaning::Letter(code) => Some(code),
            _ => None,
        }
    }

    /// Whether upper and lower case are one.
    pub fn folds_case(&self) -> bool {
        !self.letters.bytes().any(|letter| letter.is_ascii_lowercase())
    }

    /// What a character of a sequence stands for.
    pub fn meaning(&self, character: u8) -> Meaning {
        self.codes[usize::from(character)]
    }

    /// A row of numbers below q as text.
    ///
    /// # Panics
    /// If a number is not below q.
    pub fn text(&self, row: &[u8]) -> String {
        row.iter().map(|&code| char::from(self.letters.as_bytes()[usize::from(code)])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_numbers_of_their_places() {
        for alphabet in [Alphabet::protein(), Alphabet::nucleotide(), Alphabet::given("01").unwrap(), {
            Alphabet::given("aA-").unwrap()
        }] {
            for (code, letter) in alphabet.letters().bytes().enumerate() {
                assert_eq!(alphabet.meaning(letter), Meaning::Letter(code as u8));
            }
            assert_eq!(alphabet.meaning(b'!'), Meaning::Unknown);
            assert_eq!(Alphabet::from_letters(alphabet.letters()).unwrap(), alphabet);
        }
        assert_eq!((Alphabet::protein().n_letters(), Alphabet::protein().gap()), (21, Some(0)));
        assert_eq!(Alphabet::given("aA-").unwrap().gap(), Some(2));
        assert_eq!(Alphabet::given("01").unwrap().gap(), None);
        assert_eq!(Alphabet::nucleotide().text(&[0, 4, 1]), "-TA");
    }

    #[test]
    fn case_folds_unless_the_alphabet_has_both() {
        assert_eq!(Alphabet::protein().meaning(b'y'), Meaning::Letter(20));
        assert_eq!(Alphabet::protein().meaning(b'x'), Meaning::Ambiguous);
        assert_eq!(Alphabet::nucleotide().meaning(b'u'), Meaning::Letter(4));
        assert_eq!(Alphabet::nucleotide().meaning(b'E'), Meaning::Unknown);
        assert_eq!(Alphabet::given("HP").unwrap().meaning(b'h'), Meaning::Letter(0));
        assert_eq!(Alphabet::given("Hp").unwrap().meaning(b'h'), Meaning::Unknown);
    }

    #[test]
    fn what_is_no_alphabet_is_refused() {
        let many: String = (b'!'..=b'~').map(char::from).filter(|letter| !">.".contains(*letter)).collect();
        for (letters, word) in [
            ("", "2 to 64"),
            ("A", "2 to 64"),
            (&many, "2 to 64"),
            ("ABA", "'A' twice"),
            ("A B", "visible"),
            ("A>", "visible"),
            ("A.", "visible"),
            ("Aé", "'é'"),
        ] {
            let message = Alphabet::given(letters).unwrap_err().to_string();
            assert!(message.starts_with("alphabet: ") && message.contains(word), "{message}");
        }
    }
}

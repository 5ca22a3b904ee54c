//! A refusal: a message that says what is wrong, an exit code, and nothing written.

use crate::harness::Program;

/// Runs the program, which must refuse with all of `words` in its message and leave the folder as it was.
pub fn refused(program: &Program, arguments: &str, words: &[&str]) {
    let before = program.files();
    let output = program.command(arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments}: {}, {message}", output.status);
    assert!(message.contains("error: "), "{arguments}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments}: no {word:?} in {message}");
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments}");
    // No assert_eq: it would print the files.
    assert!(program.files() == before, "{arguments}: the folder changed");
}

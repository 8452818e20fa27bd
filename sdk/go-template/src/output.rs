//! Text that grows up to a limit and then stops.
//!
//! Writers need not check after each piece: what does not fit is dropped and remembered, and the one who
//! asked for the text looks at [`Output::is_full`] once.

/// A growing text with a limit in bytes.
pub(crate) struct Output {
    text: String,
    bytes_max: usize,
    is_full: bool,
}

impl Output {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { text: String::new(), bytes_max, is_full: false }
    }

    /// An output without a limit, for texts no longer than what the template itself wrote.
    pub(crate) fn unlimited() -> Self {
        Self::new(usize::MAX)
    }

    pub(crate) fn push_str(&mut self, text: &str) {
        if self.is_full || text.len() > self.bytes_max - self.text.len() {
            self.is_full = true;
        } else {
            self.text.push_str(text);
        }
    }

    pub(crate) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Writes the character `count` times.
    pub(crate) fn fill(&mut self, c: char, count: usize) {
        if self.is_full || count.saturating_mul(c.len_utf8()) > self.bytes_max - self.text.len() {
            self.is_full = true;
        } else {
            self.text.extend(std::iter::repeat_n(c, count));
        }
    }

    /// Whether something did not fit.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

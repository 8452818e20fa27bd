//! What several requests mean together, where a notification goes to several places.

use std::fmt::Display;

use sandbell_sdk::prelude::*;

/// What became of the places so far.
///
/// One place that was reached is a success, unless another may still be reached: then all are tried again, and who
/// has the notification gets it twice rather than somebody never.
#[derive(Debug, Default)]
pub struct Several {
    ids: Vec<String>,
    refused: Vec<(String, SendError)>,
    /// Trying again can help, and the rest waits for that.
    later: Option<SendError>,
}

impl Several {
    /// Notes one answer, the provider's identifier or nothing; true if the rest need not be tried now.
    pub fn is_over(&mut self, place: &impl Display, sent: Result<String, SendError>) -> bool {
        match sent {
            Ok(id) => self.ids.push(id),
            Err(error) if error.retry == Retry::Later => self.later = Some(error),
            // A token that is not accepted here is not accepted anywhere.
            Err(error) => {
                let is_last = error.code != code::ADDRESS && error.code != code::REJECTED;
                self.refused.push((place.to_string(), error));
                return is_last;
            }
        }
        self.later.is_some()
    }

    /// The receipt holds all identifiers, and names the places that refused.
    pub fn settle(self) -> Result<Receipt, SendError> {
        let Self { ids, refused, later } = self;
        if let Some(error) = later {
            return Err(error);
        }
        match refused.first() {
            Some((_, error)) if ids.is_empty() => Err(error.clone()),
            _ => Ok(receipt(&ids, &refused)),
        }
    }
}

fn receipt(ids: &[String], refused: &[(String, SendError)]) -> Receipt {
    let ids: Vec<_> = ids.iter().map(String::as_str).filter(|id| !id.is_empty()).collect();
    let mut receipt = Receipt::new();
    if !ids.is_empty() {
        receipt = receipt.id(ids.join(","));
    }
    if !refused.is_empty() {
        let refused: Vec<_> = refused.iter().map(|(place, error)| format!("{place}: {error}")).collect();
        receipt = receipt.detail(format!("not delivered to {}", refused.join("; ")));
    }
    receipt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_is_enough_unless_another_can_be_reached_later() {
        let mut some = Several::default();
        assert!(!some.is_over(&"a", Ok("1".to_owned())));
        assert!(!some.is_over(&"b", Err(SendError::address("gone"))));
        assert!(!some.is_over(&"c", Ok(String::new())));
        assert_eq!(some.settle().unwrap(), Receipt::new().id("1").detail("not delivered to b: gone"));

        let mut later = Several::default();
        assert!(!later.is_over(&"a", Ok("1".to_owned())));
        assert!(later.is_over(&"b", Err(SendError::retry("busy"))));
        assert_eq!(later.settle().unwrap_err(), SendError::retry("busy"));

        let mut none = Several::default();
        assert!(!none.is_over(&"a", Err(SendError::address("gone"))));
        assert!(none.is_over(&"b", Err(SendError::auth("no"))));
        assert_eq!(none.settle().unwrap_err(), SendError::address("gone"));
        assert_eq!(Several::default().settle().unwrap(), Receipt::new());
    }
}

//! The REST door: `/api/v1`, the document that describes it, and a page that shows the document.

pub(crate) mod form; // what goes over the wire

//! One file a format. Text and JSON come from the same values.

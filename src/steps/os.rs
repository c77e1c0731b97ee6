//! Section of the procedure.

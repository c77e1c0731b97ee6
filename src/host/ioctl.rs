//! The only unsafe code: ioctls with a safe face.

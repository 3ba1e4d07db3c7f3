//! The weir binary: API, web interface, workers.

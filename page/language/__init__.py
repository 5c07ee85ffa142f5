"""Languages of the page: English and Korean."""

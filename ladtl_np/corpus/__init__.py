"""Text in and out: readers, writers, tag schemes, vocabulary, vectors, the demo corpus."""

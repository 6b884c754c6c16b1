"""The same random requests to Tarn and to the reference; see README.md."""

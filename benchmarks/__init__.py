"""Speed beside other libraries, and of the parts of this one over time; see README.md."""

"""The JVM that runs Groovy: finding it, starting it, caching what makes it start fast, and the wire to it."""

package org.jenkinsci.plugins.pipeline.utility.steps.fs

/** A file that findFiles found. */
class FileWrapper implements Serializable {
    String name
    String path
    boolean directory
    long length
    long lastModified
    String toString() { path }
}

package org.jenkinsci.plugins.workflow.libs

import java.lang.annotation.*

/** Loads shared libraries before the script compiles; read from the tree, kept so that scripts compile. */
@Retention(RetentionPolicy.SOURCE)
@Target([ElementType.TYPE, ElementType.FIELD, ElementType.METHOD, ElementType.LOCAL_VARIABLE, ElementType.PACKAGE])
@interface Library {
    String[] value()
    boolean[] changelog() default []
}

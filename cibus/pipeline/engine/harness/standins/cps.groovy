package com.cloudbees.groovy.cps

import java.lang.annotation.*

/** Marks a method that Jenkins runs as plain Groovy. */
@Retention(RetentionPolicy.RUNTIME)
@Target([ElementType.METHOD, ElementType.CONSTRUCTOR, ElementType.TYPE])
@interface NonCPS {}

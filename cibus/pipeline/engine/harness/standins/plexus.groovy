package org.codehaus.plexus.util.xml.pull

class XmlPullParserException extends Exception {
    XmlPullParserException() { super() }
    XmlPullParserException(String message) { super(message) }
}

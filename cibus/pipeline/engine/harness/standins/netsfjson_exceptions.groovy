package net.sf.json

class JSONException extends RuntimeException {
    JSONException() { super() }
    JSONException(String message) { super(message) }
}

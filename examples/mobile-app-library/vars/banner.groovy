// banner 'text': prints a framed title from the library's template.
def call(String text) {
    def template = libraryResource 'org/example/mobile/banner.txt'
    echo template.replace('TEXT', text)
}

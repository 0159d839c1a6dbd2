// How the app is put together: one package for each platform.
def compile(String flavour) {
    for (platform in ['android', 'ios']) {
        sh "sh app/build.sh ${platform} ${flavour}"
    }
}

return this

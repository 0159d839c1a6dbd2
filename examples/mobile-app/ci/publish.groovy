// Uploads what the build stashed. STORE_USR and STORE_PSW come from the stage's credentials.
def upload(String platform) {
    dir("upload-${platform}") {
        unstash 'packages'
        sh "sh ../app/upload.sh ${platform} out/${platform}.pkg"
    }
}

return this

package hudson.remoting;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;

/** Takes the options of agent.jar that services use, calls the stand-in controller, and runs what it is told. */
public class Launcher {
    private static final List<String> FLAGS = Arrays.asList("-webSocket", "-noReconnect", "-failIfWorkDirIsMissing", "-noKeepAlive");
    private static final List<String> OPTIONS = Arrays.asList("-url", "-name", "-secret", "-workDir", "-internalDir", "-protocols", "-jar-cache", "-loggingConfig");

    public static void main(String[] args) throws Exception {
        String url = null, name = null, secret = null, folder = ".";
        for (int at = 0; at < args.length; at++) {
            if (args[at].equals("-version")) {
                System.out.println("0.stand-in");
                return;
            }
            if (FLAGS.contains(args[at])) continue;
            if (!OPTIONS.contains(args[at]) || at + 1 == args.length) refuse("\"" + args[at] + "\" is not a valid option");
            String value = args[++at];
            if (args[at - 1].equals("-url")) url = value;
            if (args[at - 1].equals("-name")) name = value;
            if (args[at - 1].equals("-secret")) secret = value;
            if (args[at - 1].equals("-workDir")) folder = value;
        }
        if (url == null || name == null || secret == null) refuse("-url, -name and -secret are required");
        if (secret.startsWith("@")) secret = new String(Files.readAllBytes(Paths.get(secret.substring(1))), StandardCharsets.UTF_8).trim();
        new File(folder, "remoting/logs").mkdirs();
        serve(url, name, secret, folder);
    }

    private static void serve(String url, String name, String secret, String folder) throws Exception {
        boolean connected = false;
        String result = "";
        byte[] output = new byte[0];
        while (true) {
            String told;
            try {
                String query = "name=" + URLEncoder.encode(name, "UTF-8") + "&first=" + !connected + "&result=" + result;
                told = post(new URL(url + "standin-agent/next?" + query), secret, output);
                result = "";
                output = new byte[0];
                if (!connected) System.err.println("INFO: Connected");
                connected = true;
            } catch (java.io.IOException lost) {
                System.err.println("WARNING: " + lost.getMessage() + "; trying again");
                connected = false;
                Thread.sleep(1000);
                continue;
            }
            if (told.isEmpty()) {
                Thread.sleep(250);
                continue;
            }
            try {
                Process shell = started(Paths.get(folder, "workspace", "standin"), told);
                shell.getOutputStream().close();
                output = all(shell.getInputStream());
                result = String.valueOf(shell.waitFor());
            } catch (java.io.IOException refused) { // where nothing can be written no build runs
                output = (refused + "\n").getBytes(StandardCharsets.UTF_8);
                result = "-1";
            }
        }
    }

    /** A shell in the build's workspace; as the step sh does it, its script is a file beside that. */
    private static Process started(Path workspace, String script) throws java.io.IOException {
        Files.createDirectories(workspace);
        Path control = Files.createDirectories(workspace.resolveSibling(workspace.getFileName() + "@tmp"));
        Path file = Files.createTempFile(control, "durable-", ".sh");
        Files.write(file, script.getBytes(StandardCharsets.UTF_8));
        file.toFile().deleteOnExit();
        return new ProcessBuilder("sh", file.toString()).directory(workspace.toFile()).redirectErrorStream(true).start();
    }

    private static String post(URL url, String secret, byte[] body) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(5000);
        connection.setReadTimeout(5000);
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("X-Agent-Secret", secret);
        connection.setRequestProperty("Content-Type", "application/octet-stream");
        connection.getOutputStream().write(body);
        int status = connection.getResponseCode();
        if (status == 403) refuse("The server rejected the connection: incorrect secret");
        if (status != 200) throw new java.io.IOException("the controller answers " + status);
        return new String(all(connection.getInputStream()), StandardCharsets.UTF_8);
    }

    private static byte[] all(InputStream stream) throws Exception {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        for (int count; (count = stream.read(buffer)) > 0; ) read.write(buffer, 0, count);
        return read.toByteArray();
    }

    private static void refuse(String words) {
        System.err.println("SEVERE: " + words);
        System.exit(1);
    }
}

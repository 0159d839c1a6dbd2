package cibus

import groovy.transform.CompileStatic
import java.nio.charset.StandardCharsets
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.LinkedBlockingQueue

/**
 * The wire to Python: one JSON message a line, over the pipes named on the command line.
 *
 * A branch is a thread of the script that has a counterpart in Python. `call` hands a step to Python and waits;
 * while it waits, Python may have closures invoked on this very thread.
 */
@CompileStatic
class Host {
    private static OutputStream out
    private static final ConcurrentHashMap<Integer, LinkedBlockingQueue<Map>> INBOXES = new ConcurrentHashMap<>()
    private static final ThreadLocal<Integer> BRANCH = new ThreadLocal<>()
    private static final long STACK = 512L << 20
    private static final long BRANCH_STACK = 64L << 20

    static void main(String[] args) {
        System.setProperty('groovy.grape.enable', 'false')
        if (args[0] == 'train') { Training.run(); Runtime.runtime.exit(0) }
        BufferedReader input = new BufferedReader(new InputStreamReader(new FileInputStream('/dev/fd/' + args[0]), StandardCharsets.UTF_8), 1 << 16)
        out = new FileOutputStream('/dev/fd/' + args[1])
        String line
        while ((line = input.readLine()) != null) {
            Map message = (Map) Json.parse(line)
            if (message.get('op') == 'exit') Runtime.runtime.halt(0)
            deliver(message)
        }
        // the pipe closed without a word: cibus was killed, and what it started must not outlive it
        endGuarded()
        Runtime.runtime.halt(0)
    }

    private static final Set<Integer> GUARDED = new LinkedHashSet<>()
    private static final Set<String> COOKIES = new LinkedHashSet<>()
    private static final Set<String> COMMANDS = new LinkedHashSet<>()

    private static void guard(Map message) {
        if (message.get('c')) COOKIES.add((String) message.get('c'))
        else if (message.get('x')) COMMANDS.add((String) message.get('x'))
        else GUARDED.add((Integer) message.get('p'))
    }

    private static void unguard(Map message) {
        if (message.get('c')) COOKIES.remove((String) message.get('c'))
        else if (message.get('x')) COMMANDS.remove((String) message.get('x'))
        else GUARDED.remove((Integer) message.get('p'))
    }

    /** Ends containers, the process groups of steps, and what left them but still has an agent's cookie in its environment. */
    private static void endGuarded() {
        for (String command : COMMANDS) new ProcessBuilder('sh', '-c', command).inheritIO().start()
        for (Integer group : GUARDED) new ProcessBuilder('kill', '-KILL', '--', '-' + group).inheritIO().start().waitFor()
        if (COOKIES.isEmpty()) return
        for (File place : (new File('/proc').listFiles() ?: new File[0])) {
            if (!Character.isDigit(place.name.charAt(0))) continue
            try {
                String environ = place.toPath().resolve('environ').toFile().getText('ISO-8859-1')
                ProcessHandle process = ProcessHandle.of(Long.parseLong(place.name)).orElse(null)
                for (String cookie : COOKIES) if (process != null && environ.contains(cookie)) process.destroyForcibly()
            } catch (IOException | NumberFormatException ignored) {
            }
        }
    }

    private static void deliver(Map message) {
        if (message.get('op') == 'guard') { guard(message); return }
        if (message.get('op') == 'unguard') { unguard(message); return }
        if (message.get('op') == 'trace') { send([op: (Object) 'trace', id: message.get('id'), s: trace((int) message.get('h'))]); return }
        Integer branch = (Integer) message.get('b')
        LinkedBlockingQueue<Map> inbox = INBOXES.get(branch)
        if (inbox == null) {
            inbox = new LinkedBlockingQueue<Map>()
            INBOXES.put(branch, inbox)
            LinkedBlockingQueue<Map> mine = inbox
            Thread t = new Thread(null, { serve(branch, mine) } as Runnable, 'branch-' + branch, branch == 0 ? STACK : BRANCH_STACK)
            t.daemon = true
            t.start()
        }
        inbox.put(message)
    }

    private static String trace(int handle) {
        Object t = Codec.held(handle)
        StringBuilder text = new StringBuilder()
        if (t instanceof Throwable) print((Throwable) t, text, 0)
        return text.toString()
    }

    /** As Jenkins prints exceptions (hudson.Functions.printThrowable): what caused it first. */
    private static void print(Throwable t, StringBuilder text, int depth) {
        Throwable cause = t.cause
        if (cause != null && cause != t && depth < 20) {
            print(cause, text, depth + 1)
            text.append('Caused: ')
        }
        text.append(t.toString()).append('\n')
        for (StackTraceElement e : t.stackTrace) text.append('\tat ').append(e.toString()).append('\n')
    }

    /** A branch's thread: does what Python asks for until Python says that the branch has ended. */
    private static void serve(Integer branch, LinkedBlockingQueue<Map> inbox) {
        BRANCH.set(branch)
        while (true) {
            Map message = inbox.take()
            if (message.get('op') == 'end') { INBOXES.remove(branch); return }
            perform(message)
        }
    }

    static void send(Map<String, Object> message) {
        StringBuilder text = new StringBuilder(256)
        Json.write(text, message)
        text.append('\n')
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8)
        synchronized (Host) { out.write(bytes) }
    }

    private static void perform(Map message) {
        Integer branch = BRANCH.get()
        try {
            Object value = Scripts.perform(message)
            send([op: (Object) 'done', b: branch, v: Codec.result(value)])
        } catch (Throwable t) {
            send([op: (Object) 'fail', b: branch, x: Codec.throwable(t)])
        }
    }

    /** Has Python run a step (or answer a question, where the name begins with a $) and gives what it returns. */
    static Object call(String name, Object[] args) {
        if (out == null) return Training.answer(name)
        Integer branch = BRANCH.get()
        if (branch == null) throw new IllegalStateException("'" + name + "' was called from a thread of its own; steps only run on the pipeline's threads")
        List<Integer> frame = new ArrayList<>()
        try {
            send([op: (Object) 'call', b: branch, n: name, a: Codec.encode(args as List, frame), l: name.startsWith('$') ? 0 : line()])
            LinkedBlockingQueue<Map> inbox = INBOXES.get(branch)
            while (true) {
                Map message = inbox.take()
                String op = (String) message.get('op')
                if (op == 'ret') return Codec.decode(message.get('v'))
                if (op == 'raise') throw Codec.toThrowable((Map) message.get('x'))
                perform(message)
            }
        } finally {
            Codec.release(frame)
        }
    }

    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)

    /** The line of the script that is running, counted from 1; 0 where there is none. */
    static int line() {
        (int) WALKER.walk(FIRST_LINE)
    }

    private static final FirstLine FIRST_LINE = new FirstLine()

    /** A class of its own: a closure in its place would cost a proxy class at every start. */
    @CompileStatic
    static class FirstLine implements java.util.function.Function<java.util.stream.Stream<StackWalker.StackFrame>, Integer> {
        Integer apply(java.util.stream.Stream<StackWalker.StackFrame> frames) {
            Iterator<StackWalker.StackFrame> each = frames.iterator()
            while (each.hasNext()) {
                StackWalker.StackFrame frame = each.next()
                if (frame.lineNumber > 0 && frame.declaringClass.classLoader instanceof GroovyClassLoader) return frame.lineNumber
            }
            return 0
        }
    }
}

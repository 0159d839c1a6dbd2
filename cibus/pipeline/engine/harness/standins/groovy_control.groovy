package org.codehaus.groovy.control

import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.stmt.*

/**
 * Stands before Groovy 2.4.21's own class of this name, which fails with a NullPointerException on a named label in a
 * closure; Jenkins never meets that, since its CPS compiler has turned the loops into calls before the check.
 */
@CompileStatic
class LabelVerifier extends ClassCodeVisitorSupport {
    private final SourceUnit source
    private Set<String> labels = new HashSet<>()
    private List<Statement> jumps = new ArrayList<>()
    private int loops = 0
    private int switches = 0

    LabelVerifier(SourceUnit source) { this.source = source }

    protected SourceUnit getSourceUnit() { source }

    protected void visitClassCodeContainer(Statement code) {
        labels = new HashSet<>()
        jumps = new ArrayList<>()
        loops = 0
        switches = 0
        super.visitClassCodeContainer(code)
        for (Statement jump : jumps) {
            if (!(label(jump) in labels)) addError((jump instanceof BreakStatement ? 'break' : 'continue') + ' to missing label', jump)
        }
    }

    private static String label(Statement s) { s instanceof BreakStatement ? ((BreakStatement) s).label : ((ContinueStatement) s).label }

    protected void visitStatement(Statement s) {
        if (s.statementLabels != null) labels.addAll(s.statementLabels)
        super.visitStatement(s)
    }

    void visitForLoop(ForStatement loop) { loops++; super.visitForLoop(loop); loops-- }

    void visitDoWhileLoop(DoWhileStatement loop) { loops++; super.visitDoWhileLoop(loop); loops-- }

    void visitWhileLoop(WhileStatement loop) { loops++; super.visitWhileLoop(loop); loops-- }

    void visitSwitch(SwitchStatement s) { switches++; super.visitSwitch(s); switches-- }

    void visitBreakStatement(BreakStatement s) {
        if (s.label == null && loops == 0 && switches == 0) addError('the break statement is only allowed inside loops or switches', s)
        else if (s.label != null && loops == 0) addError('the break statement with named label is only allowed inside loops', s)
        if (s.label != null) jumps.add(s)
        super.visitBreakStatement(s)
    }

    void visitContinueStatement(ContinueStatement s) {
        if (s.label == null && loops == 0) addError('the continue statement is only allowed inside loops', s)
        if (s.label != null) jumps.add(s)
        super.visitContinueStatement(s)
    }
}

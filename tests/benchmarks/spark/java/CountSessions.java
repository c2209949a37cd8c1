import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.ProtectionDomain;
import org.apache.xbean.asm9.ClassReader;
import org.apache.xbean.asm9.ClassVisitor;
import org.apache.xbean.asm9.ClassWriter;
import org.apache.xbean.asm9.MethodVisitor;
import org.apache.xbean.asm9.Opcodes;

/**
 * A Java agent: every {@code OrtSession} that is opened leaves one byte in a file, whoever opens
 * it.
 *
 * <p>ONNX Runtime's constructors all end in one that takes the native handle; that one is counted.
 */
public final class CountSessions {
  private static Path tally;

  private CountSessions() {}

  /** The argument is the file. */
  public static void premain(String argument, Instrumentation instrumentation) {
    tally = Path.of(argument);
    instrumentation.addTransformer(new Transformer());
  }

  /** Called by {@code OrtSession}. */
  public static synchronized void opened() {
    try {
      Files.write(tally, new byte[] {'j'}, StandardOpenOption.APPEND);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static final class Transformer implements ClassFileTransformer {
    @Override
    public byte[] transform(
        ClassLoader loader, String name, Class<?> known, ProtectionDomain domain, byte[] bytes) {
      if (!"ai/onnxruntime/OrtSession".equals(name)) {
        return null;
      }
      ClassReader reader = new ClassReader(bytes);
      ClassWriter writer = new ClassWriter(reader, 0);
      reader.accept(new Sessions(writer), 0);
      return writer.toByteArray();
    }
  }

  private static final class Sessions extends ClassVisitor {
    Sessions(ClassVisitor next) {
      super(Opcodes.ASM9, next);
    }

    @Override
    public MethodVisitor visitMethod(
        int access, String name, String descriptor, String signature, String[] thrown) {
      MethodVisitor next = super.visitMethod(access, name, descriptor, signature, thrown);
      return name.equals("<init>") && descriptor.startsWith("(J") ? new Counted(next) : next;
    }
  }

  private static final class Counted extends MethodVisitor {
    Counted(MethodVisitor next) {
      super(Opcodes.ASM9, next);
    }

    @Override
    public void visitInsn(int instruction) {
      if (instruction == Opcodes.RETURN) {
        visitMethodInsn(Opcodes.INVOKESTATIC, "CountSessions", "opened", "()V", false);
      }
      super.visitInsn(instruction);
    }
  }
}

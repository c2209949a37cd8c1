package io.sealane.hosts;

import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** {@link Answers} in a Spring Boot fat jar, whose libraries lie in the jar as jars. */
@SpringBootApplication
public class BootProgram implements ApplicationRunner {
  /** Starts the application; arguments as {@link Answers#main}. */
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(BootProgram.class);
    application.setBannerMode(Banner.Mode.OFF);
    application.setLogStartupInfo(false);
    application.run(args).close();
  }

  @Override
  public void run(ApplicationArguments arguments) {
    Answers.main(arguments.getSourceArgs());
  }
}

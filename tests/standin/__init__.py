"""A stand-in for agent.jar: real Java and real HTTP, but not Jenkins' own protocol."""

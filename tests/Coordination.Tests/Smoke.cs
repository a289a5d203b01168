namespace Coordination.Tests;
public class Smoke { [Fact] public void Runs() { } }

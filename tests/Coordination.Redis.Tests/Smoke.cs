namespace Coordination.Redis.Tests;
public class Smoke { [Fact] public void Runs() { } }

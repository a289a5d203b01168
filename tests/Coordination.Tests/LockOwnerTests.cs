namespace Coordination.Tests;

public sealed class LockOwnerTests
{
    [Theory]
    [InlineData("host-1-ab12cd34", 0)]
    [InlineData("host-1-ab12cd34", long.MaxValue)]
    [InlineData("host-1-ab12cd34", long.MinValue)]
    [InlineData("\u00fcber host: 1", 42)]
    public void What_an_owner_writes_it_reads_again(string nodeId, long sequence)
    {
        var owner = new LockOwner(nodeId, sequence);
        Assert.True(LockOwner.TryParse(owner.ToString(), out var read));
        Assert.Equal(owner, read);
        Assert.Equal((nodeId, sequence), (read.NodeId, read.Sequence));
    }

    [Fact]
    public void An_owner_is_written_as_its_node_and_its_number() =>
        Assert.Equal("host-1-ab12cd34/42", new LockOwner("host-1-ab12cd34", 42).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/1")]
    [InlineData("node")]
    [InlineData("node/")]
    [InlineData("node/one")]
    [InlineData("node/1.5")]
    [InlineData("node/1,000")]
    [InlineData("node/ 1")]
    [InlineData("node/1 ")]
    [InlineData("node/0x1")]
    [InlineData("node/9223372036854775808")]
    [InlineData("node/1/2")]
    [InlineData("node//1")]
    public void Other_text_is_no_owner(string? text)
    {
        Assert.False(LockOwner.TryParse(text, out var owner));
        Assert.Null(owner);
    }

    /// <summary>A notification has several, and a store limits how long one is.</summary>
    [Fact]
    public void A_node_id_that_is_too_long_is_refused_with_the_limit()
    {
        var (longest, longer) = (new string('n', 256), new string('n', 257));
        Assert.True(LockOwner.TryParse(new LockOwner(longest, 1).ToString(), out _));
        Assert.False(LockOwner.TryParse(longer + "/1", out _));
        Assert.Contains("257", Assert.Throws<ArgumentException>(() => new LockOwner(longer, 1)).Message, StringComparison.Ordinal);
        Assert.Equal(longest, new StepDownRequest { Successor = longest }.Successor);
        Assert.Contains("may have 256", Assert.Throws<ArgumentException>(() => new StepDownRequest { Successor = longer }).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("/")]
    public void A_node_id_that_could_not_be_read_again_is_refused(string? nodeId)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => new LockOwner(nodeId!, 1));
        Assert.Equal("nodeId", error.ParamName);
    }

    [Theory]
    [InlineData("host-1-ab12cd34", "host")]
    [InlineData("web-7-eu-1-ab12cd34", "web-7-eu")]
    [InlineData("host", "host")]
    [InlineData("host-1", "host-1")]
    [InlineData("-1-ab12cd34", "-1-ab12cd34")]
    [InlineData("--", "--")]
    public void The_name_of_a_node_is_its_id_without_the_last_two_parts(string nodeId, string name) => Assert.Equal(name, new LockOwner(nodeId, 1).NodeName);

    [Fact]
    [Failure("F6")]
    public void Owners_are_equal_by_node_and_number_and_case_matters()
    {
        Assert.Equal(new LockOwner("node", 1), new LockOwner("node", 1));
        Assert.NotEqual(new LockOwner("node", 1), new LockOwner("node", 2));
        Assert.NotEqual(new LockOwner("node", 1), new LockOwner("Node", 1));
    }
}
